"""Published data sets, made ready to train on."""
