"""Which nodes can take a pod, and why others cannot: one model for settings, checks and instance types.

`nodes` and `pools` make Node values from Kubernetes objects and from AKS agentPoolProfiles, `placement` says what the
extension adds to its own pods and to workloads, `reasons` holds a PodRequest against a Node. Amounts are whole
thousandths of the base unit of a resource.
"""
