"""The control API: whatever happens in the mock, made to happen from any language.

`spec/control-api.openapi.yaml` says which operations there are, where, and what they take and
answer.  Here each one is a function that is called as its `operationId`, in the module of its noun.
"""
