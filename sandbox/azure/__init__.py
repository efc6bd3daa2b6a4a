"""The Azure half: Entra's login and one tree of ARM resources."""
