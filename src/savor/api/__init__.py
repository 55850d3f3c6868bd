"""HTTP routes, lifespan and pages."""
