"""The tests: each is named by the behaviour it promises."""
