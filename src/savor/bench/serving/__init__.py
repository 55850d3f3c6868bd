"""How fast recommendations are served: made catalogues, load over real sockets, time by stage."""
