"""What the machine gives: files that are whole, processes, progress, memory, the installation."""
