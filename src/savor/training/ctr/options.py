"""How the chance of being liked is predicted."""

from pydantic import Field

from savor.core.config import Section
from savor.training.cross_network.options import DcnOptions


class TreeOptions(Section):
    """Boosted trees."""

    trees: int = Field(250, ge=1, description="Most trees; the number is chosen on validation.")
    patience: int = Field(20, ge=1, description="Trees without a better validation loss after which training ends.")
    depth: int = Field(6, ge=1, le=16, description="Depth of a tree.")
    learning_rate: float = Field(0.08, gt=0, le=1, description="Weight of each tree.")
    row_share: float = Field(0.6, gt=0, le=1, description="Share of the rows that each tree sees.")
    column_share: float = Field(0.4, gt=0, le=1, description="Share of the features that each tree sees.")
    minimum_child_weight: float = Field(30.0, ge=0, description="Least sum of second derivatives in a leaf.")
    regularisation: float = Field(5.0, ge=0, description="Weight of the squared norm of the leaves.")


class CtrOptions(Section):
    """A model of the chance that somebody likes something; `[[models]]` of a benchmark give these as `params`."""

    factors: int = Field(12, ge=1, description="Width of the vectors that earlier ratings are folded in through.")
    samples: int = Field(30, ge=1, description="Sweeps of the factorisation behind them.")
    draws: int = Field(4, ge=0, description="How many of its draws are used; 0: nothing is folded in.")
    folds: int = Field(4, ge=2, description="Groups of users; vectors for one group are learnt from the others.")
    trees: TreeOptions = TreeOptions()
    dcn: DcnOptions = DcnOptions(class_weights="none", alpha=0.0, ids=True, batch_size=2048, epochs=6)
