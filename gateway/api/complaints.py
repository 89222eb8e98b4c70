"""What pydantic found wrong, as the API tells it: in the words of `gateway.domain.complaints`."""

from gateway.domain.complaints import problem_of_validation

__all__ = ["problem_of_validation"]
