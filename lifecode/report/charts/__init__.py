"""Single figures by matplotlib, from plain numbers; what they mean for a page stands with the page."""
