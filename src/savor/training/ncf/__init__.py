"""Neural collaborative filtering: GMF, MLP and NeuMF."""
