"""`realedit ui`: a page to edit photos by hand, and the same as an HTTP API.

Sessions, jobs and edits (`sessions`, `jobs`, `editor`) are plain Python. `api` tells them over HTTP, `guard`
keeps others out, `page` shows a page whose canvas is a script of its own (`assets`), and `server` runs them.
"""
