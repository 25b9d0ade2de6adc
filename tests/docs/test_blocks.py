"""How a page's blocks are found."""

from blocks import blocks

PAGE = """# A page

<!-- test: file a.csv -->
```text
text,label
```

```sh
ulmfit models
```

<!-- test: figures vary -->
```text
name
```

- In a list:

  <!-- test: parsed only, it needs
       the network -->
  ```sh
  ulmfit data imdb
  ```

Words between.

```text
no output of anything
```
"""


def test_blocks_with_marks_and_outputs() -> None:
    file, models, data, loose = blocks(PAGE)
    assert (file.marked("file"), file.code) == ("a.csv", "text,label\n")
    assert models.output and models.output.code == "name\n"
    assert models.output.marked("figures vary") == "" and models.marked("slow") is None
    assert (
        data.marked("parsed only") == "it needs the network" and data.code == "ulmfit data imdb\n"
    )
    assert data.output is None and loose.language == "text"


def test_a_block_knows_its_line() -> None:
    lines = PAGE.splitlines()
    for block in blocks(PAGE):
        assert lines[block.line - 1].strip() == block.code.splitlines()[0]
