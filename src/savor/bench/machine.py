"""What a measurement was made on, and with."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import savor

PACKAGES = ("numpy", "scipy", "tensorflow-cpu", "tensorflow", "keras", "keras-rs", "xgboost-cpu", "implicit", "scann")
THREADS = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS")


def machine() -> dict[str, str | int | float | None]:
    """Processors, memory, Python; nothing that names the machine or its owner."""
    return {
        "processors": os.cpu_count(),
        "threads": "; ".join(f"{name}={os.environ[name]}" for name in THREADS if name in os.environ)
        or "as many as liked",
        "architecture": platform.machine(),
        "system": platform.system(),
        "memory_gib": _memory(),
        "python": platform.python_version(),
    }


def versions() -> dict[str, str]:
    """Versions of Savor and of the packages that figures depend on."""
    found = {"savor": savor.__version__}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def _memory() -> float | None:
    path = Path("/proc/meminfo")
    if not path.exists():
        return None
    total = next(line for line in path.read_text(encoding="ascii").splitlines() if line.startswith("MemTotal"))
    return round(int(total.split()[1]) / (1 << 20), 1)
