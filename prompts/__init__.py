"""What an assistant is told: Markdown with TOML front matter, served as MCP prompts."""
