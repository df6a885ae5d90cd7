"""Names and lines of files that mean something to whoever shows text without care."""

TEXTS = (
    "**bold** _slanted_ `code` ~~gone~~.ply",
    "[a link](http://example.com) <http://example.com> http://example.com www.example.com a@b.cd",
    "![a picture](http://example.com/a.png)<img src=x onerror=alert(1)><script>alert(1)</script>",
    "$\\frac{1}{2}$ $$x^2$$ \\(x\\) \\[x\\]",
    ":red[red] :blue-background[blue] :material/home: :smile: :+1: :rainbow[all]",
    "a <- b -> c <-> d -- e >= f <= g ~= h",
    "# a heading",
    "1. a list",
    "12) a list",
    "- a list",
    "> a quotation",
    "| a | table |",
    "[[objective]] {{ template }} %s &amp; &lt; &#58;",
    "back\\slash \\* \\",
)
