"""Instance types: from documents or flags to typed values, judged."""

from azext_amlk8s.instances.documents import read_documents
from azext_amlk8s.instances.model import DEFAULT_NAME, InstanceType, built_in_default, view
from azext_amlk8s.instances.rules import from_flags

__all__ = ["DEFAULT_NAME", "InstanceType", "built_in_default", "from_flags", "read_documents", "view"]
