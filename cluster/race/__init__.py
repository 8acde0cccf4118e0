"""The race laboratory: runs whose schedule is chosen step by step, and what watches them."""
