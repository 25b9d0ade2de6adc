"""C for this machine's CPU: compiled once, opened with ctypes, never needed."""
