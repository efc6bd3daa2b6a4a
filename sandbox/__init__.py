"""Azure and Kubernetes clusters on one machine, for rehearsal and for tests."""
