"""The one door to pyarrow, which carries no types of its own.

Everything that comes out of here is unchecked by the type checker; the files that use it state
the types of what they return.
"""

from typing import Any, TypeAlias

import pyarrow as pa
from pyarrow import compute as _compute
from pyarrow import parquet as _parquet

ArrowType: TypeAlias = Any
ArrowTable: TypeAlias = Any

arrow: Any = pa
parquet: Any = _parquet
compute: Any = _compute
