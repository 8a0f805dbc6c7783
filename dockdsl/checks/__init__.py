"""The checks of an image: what is expected of it, how that is examined, and what comes of it.

A kind of check is a file here and a line in the table of contents of `dockdsl`. Writing a check down loads its own file
alone; what it examines an image with is imported when it is run.

`check`
    `Check`, which all kinds have in common; `operands` of the package reads their values.
`budgets`, `command`, `file`, `hardened`, `healthy`, `http`, `metadata`, `shutdown`
    The kinds. `judging`, `json_values` and `saving` are what they share.
`structure_test`
    Checks that are read from a file of container-structure-test.
`smoke`, `subject`
    The test of an image from beginning to end, and the image under test, which a check is given to examine.
`http_client`, `image_files`, `program`
    What a `Subject` examines with: requests, the files in the image's layers, program files.
`report`
    The results.
"""
