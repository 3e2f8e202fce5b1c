"""Every row of the promise on every server that people run, and the page that says so."""
