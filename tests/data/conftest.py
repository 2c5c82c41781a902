"""Record files for the tests of preparations."""

import pytest

from tests.data.making import CODES, write_records


@pytest.fixture
def etl_dir(tmp_path):
    """Three files of two data sets each, the last of them cut within its second set."""
    for number in (1, 2, 3):
        codes = (CODES * 2)[:8] if number == 3 else CODES * 2
        write_records(tmp_path / "etl" / f"ETL9G_{number:02d}", codes, seed=number)
    return tmp_path / "etl"
