"""Instance types: from documents or flags to typed values, judged, compared, and measured against nodes."""

from azext_amlk8s.instances.documents import Text, read_documents, read_texts
from azext_amlk8s.instances.flags import Flags, from_flags
from azext_amlk8s.instances.model import DEFAULT_NAME, InstanceType, types_of_compute, types_of_objects
from azext_amlk8s.instances.sides import Sides, judge_sides

__all__ = [
    "DEFAULT_NAME",
    "Flags",
    "InstanceType",
    "Sides",
    "Text",
    "from_flags",
    "judge_sides",
    "read_documents",
    "read_texts",
    "types_of_compute",
    "types_of_objects",
]
