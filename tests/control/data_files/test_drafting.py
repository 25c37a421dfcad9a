"""What files of other programs are taken for."""

from pathlib import Path

import pytest

from control.data_files.drafting import draft_dataset, draft_request
from control.data_files.text_files import UnreadableFileError
from lambdas.requests.request_reading import parse_request

FILES = {
    "u.csv": ("userId,movieId,rating,timestamp\n1,2,3.5,964982703\n", "interactions"),
    "reviews.csv": ("user_id,parent_asin,rating,timestamp,helpful_vote\na,b,5.0,1588687728923,0\n", "interactions"),
    "events.csv": ("visitorid\titemid\tevent\ttimestamp\n1\t2\tview\t1433221332117\n", "interactions"),
    "movies.csv": ('movieId,title,genres\n1,"Toy, Story",A|B\n2,Heat,A\n', "items"),
    "catalog.csv": ("id,price\n1,3\n", "items"),
    "users.csv": ("id,age\n1,30\n", "users"),
    "actions.csv": ("ACTION_ID,VALUE\n1,3\n", "actions"),
    "taken.csv": ("USER_ID,ACTION_ID,EVENT_TYPE,TIMESTAMP\n1,2,Taken,1588687728\n", "action_interactions"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_known_by_its_columns_and_its_request_can_be_read(tmp_path: Path, name: str) -> None:
    text, dataset = FILES[name]
    (tmp_path / name).write_text(text)
    drafted = draft_dataset(tmp_path / name)
    assert drafted.dataset == dataset
    parse_request(draft_request("group", [drafted]))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("1,2,3.5,964982703\n1,3,4,964982703\n", "the first line is data"),
        ("", "the first line is empty"),
        ("a,b\n1,2\n", "no column names a user or an item"),
        ("userId,movieId\n1,2\n", "interactions need the columns TIMESTAMP"),
        ("userId\0,movieId\n", "zero bytes"),
    ],
)
def test_what_is_no_data_is_told(tmp_path: Path, text: str, complaint: str) -> None:
    (tmp_path / "data.csv").write_text(text)
    with pytest.raises(UnreadableFileError, match=complaint):
        draft_dataset(tmp_path / "data.csv")


def test_metadata_is_typed_by_its_cells(tmp_path: Path) -> None:
    genres = ("Drama|Crime", "Drama")
    rows = [f"{n},Title {n},{genres[n % 2]},{1990 + n},{n / 2},{'prose ' * 30}{n}" for n in range(40)]
    (tmp_path / "movies.csv").write_text("movieId,title,genres,year,score2,plot\n" + "\n".join(rows))
    columns = draft_dataset(tmp_path / "movies.csv").columns
    assert columns == {
        "ITEM_ID": "string",
        "TITLE": {"type": ["null", "string"]},
        "GENRES": {"type": ["null", "string"], "categorical": True},
        "YEAR": ["null", "long"],
        "SCORE2": ["null", "double"],
        "PLOT": {"type": ["null", "string"], "textual": True},
    }


def test_interactions_keep_five_columns_of_their_own(tmp_path: Path) -> None:
    own = [f"own{n}" for n in range(7)]
    (tmp_path / "data.csv").write_text(f"user,item,ts,{','.join(own)}\n1,2,3,{','.join('x' * 7)}\n")
    drafted = draft_dataset(tmp_path / "data.csv")
    assert len(drafted.columns) == 8
    assert len(drafted.remarks) == 2
