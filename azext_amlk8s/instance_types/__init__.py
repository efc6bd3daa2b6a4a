"""Instance types: from documents or flags to typed values, judged, compared, and measured against nodes.

The modules are imported one by one, so that looking at types does not cost what reading documents costs.
"""
