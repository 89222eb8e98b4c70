"""What the shapes of all answers share. Answers are open: members may be added to them."""

from __future__ import annotations

from types import NoneType

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel


class AnswerModel(BaseModel):
    """lowerCamelCase on the wire, open for members to come."""

    model_config = ConfigDict(alias_generator=to_camel, validate_by_name=True, serialize_by_alias=True, extra="allow")


class RateLimitState(AnswerModel):
    """What may still be asked, as the headers RateLimit-Policy and RateLimit say: `remaining` of `quota` requests in
    `window_s` seconds; in `reset_s` seconds all of them again."""

    policy: str
    quota: int
    window_s: int
    remaining: int
    reset_s: int


class DeprecationNotice(AnswerModel):
    """That an operation will go, as the headers Deprecation, Sunset and Link say."""

    deprecated_at: str
    sunset_at: str
    more_url: str
    use_instead: str


class Answered(AnswerModel):
    """Of the answer itself, not of things in a list: what its headers say, for callers that cannot read these."""

    trace_id: str | None = Field(default_factory=NoneType, description="The trace of this request.")
    trace_state: str | None = Field(default_factory=NoneType, description="As the header tracestate.")
    rate_limit: RateLimitState | None = Field(default_factory=NoneType)
    preference_applied: str | None = Field(default_factory=NoneType, description="As the header Preference-Applied.")
    deprecation: DeprecationNotice | None = Field(default_factory=NoneType)
