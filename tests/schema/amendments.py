"""Where the published document is silent or contradicts itself, what it or its neighbours say elsewhere:
made part of the schema as it is loaded, so that a check need not be left out for it. The document
itself stays as it is published."""

import schemathesis

ANSWER = {"application/json": {"schema": {"$ref": "#/components/schemas/bad-request"}}}


@schemathesis.hook
def before_load_schema(context, document):
    paths, components = document["paths"], document["components"]
    schemas, parameters = components["schemas"], components["parameters"]
    operations = [operation for path in paths.values() for operation in path.values()]

    # The reference's page of errors has the 401s, for every operation with credentials.
    for operation in operations:
        operation["responses"]["401"] = {"description": "Unauthorized", "content": ANSWER}
    # Lists of other resources, from which the parameters are shared, have a 400 for bad ones.
    paths["/upload-tokens"]["get"]["responses"]["400"] = {"description": "Bad Request", "content": ANSWER}
    # "Allowed values 1-100", "Minimum value: 1": in words alone. Beyond 64 bits is the stand-in's limit.
    parameters["page-size"]["schema"].update(minimum=1, maximum=100)
    parameters["current-page"]["schema"].update(minimum=1, maximum=2**63 - 1)
    # "This field was not expected.", in the examples of other resources.
    schemas["token-creation-payload"]["additionalProperties"] = False
    # Every example of a link is relative.
    schemas["pagination-link"]["properties"]["uri"]["format"] = "uri-reference"
    # The schemas require nothing; the examples always have these.
    schemas["upload-token"]["required"] = ["token", "ttl", "createdAt"]
    schemas["pagination"]["required"] = [*schemas["pagination"]["properties"]]
    schemas["pagination-link"]["required"] = ["rel", "uri"]
    for name in ("bad-request", "not-found", "too-many-requests"):
        schemas[name]["required"] = ["title", "status"]
    schemas["additional-bad-request-errors"]["required"] = ["title", "name"]
    # What a created token is good for, so that requests are made up one after another.
    for method in ("get", "delete"):
        links = paths["/upload-tokens"]["post"]["responses"]["200"].setdefault("links", {})
        links[method] = {
            "operationId": paths["/upload-tokens/{uploadToken}"][method]["operationId"],
            "parameters": {"uploadToken": "$response.body#/token"},
        }


@schemathesis.hook
def filter_query(context, query):
    """What leaves no trace in a URL is not refused for having been meant."""
    return not any(value in ([], {}) for value in (query or {}).values())
