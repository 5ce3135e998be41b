"""Deals with the machine: whole files, processes, progress, memory, the installation."""
