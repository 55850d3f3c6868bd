"""Tools for agents: the API's answers over the Model Context Protocol."""
