"""The kinds of tasks that can be measured."""
