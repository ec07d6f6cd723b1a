"""What no Python says: registers, and the instructions on them, for LLVM to compile."""
