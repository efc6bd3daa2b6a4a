"""Azure: the sign-in of Entra and the resources of ARM."""
