"""DCN-v2: explicit crosses of features beside a deep network, with a head for choice and one for rating."""
