"""Config nodes, whoever wrote them: where they lie, what they may say, and the objects they describe."""
