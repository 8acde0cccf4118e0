"""Making the core that a process runs from the source of ``kernel``: its quick forms."""
