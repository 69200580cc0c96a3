"""The rate table of a run: a file of the user's; there is none by default."""

from pathlib import Path

from schemas.exchange import RateTable, RateTableError, rate_table_of
from streams.yaml_files import YamlFileError, read_yaml


def read_rate_table(path: Path | None) -> RateTable | None:
    """The table of a file; None where no file is named.

    Raises:
        RateTableError: the file is no rate table; says what to change.
        OSError: the file cannot be read.
    """
    if path is None:
        return None
    try:
        return rate_table_of(read_yaml(path))
    except YamlFileError as error:
        raise RateTableError(str(error)) from None
    except RateTableError as error:
        raise RateTableError(f"{path}: {error}") from None
