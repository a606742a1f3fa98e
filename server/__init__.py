"""The faces: a command line and an MCP server. They speak; only the core decides."""
