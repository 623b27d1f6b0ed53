package problem

import (
	"cmp"
	"slices"
)

// Kind is a row of the table.
type Kind struct {
	Code   Code
	Status int
	Title  string
	// Fix tells a developer what to do; docs/errors.md is made of it.
	Fix string
}

// The kinds of whole-request errors.
const (
	BadJSON          Code = "bad_json"
	TooLarge         Code = "too_large"
	UnsupportedMedia Code = "unsupported_media_type"
	Unauthorized     Code = "unauthorized"
	Forbidden        Code = "forbidden"
	NotFound         Code = "not_found"
	MethodNotAllowed Code = "method_not_allowed"
	InvalidRequest   Code = "invalid_request"
	KeyReused        Code = "idempotency_key_reused"
	Conflict         Code = "conflict"
	NotAllowedNow    Code = "not_allowed_now"
	RateLimited      Code = "rate_limited"
	DailyLimit       Code = "daily_limit"
	RecipientLimit   Code = "recipient_limit"
	Unavailable      Code = "unavailable"
	Internal         Code = "internal"
)

// The kinds of field errors; as a whole they are an InvalidRequest.
const (
	Required        Code = "required"
	UnknownField    Code = "unknown_field"
	BadType         Code = "bad_type"
	BadValue        Code = "bad_value"
	TooLong         Code = "too_long"
	TooMany         Code = "too_many"
	BadAddress      Code = "bad_address"
	UnknownTenant   Code = "unknown_tenant"
	UnknownTemplate Code = "unknown_template"
	NotPublished    Code = "template_not_published"
	NoVariant       Code = "no_variant"
	UnknownVariable Code = "unknown_variable"
	MissingVariable Code = "missing_variable"
	UnknownChannel  Code = "unknown_channel"
	ChannelOff      Code = "channel_off"
	NotBound        Code = "template_not_bound"
	ContentRefused  Code = "content_refused"
	BadTime         Code = "bad_time"
)

var table = func() map[Code]Kind {
	m := make(map[Code]Kind, len(kinds))
	for _, k := range kinds {
		m[k.Code] = k
	}
	return m
}()

var kinds = []Kind{
	{BadJSON, 400, "The body is not the JSON that is expected.", "Send one JSON object with the documented fields only: exact case, no duplicates, UTF-8, nothing after it."},
	{TooLarge, 413, "The request is too large.", "A body may have 2 MiB, a message 256 KB. Split a batch; send large attachments by reference."},
	{UnsupportedMedia, 415, "The content type is not supported.", "Send Content-Type: application/json, not compressed."},
	{Unauthorized, 401, "The key is missing, unknown, revoked or expired.", "Send Authorization: Bearer nfy_live_… with a live key."},
	{Forbidden, 403, "The key may not do this.", "Use a key with the scope that the detail names."},
	{NotFound, 404, "There is no such thing.", "Check the id. Another tenant's things answer this too."},
	{MethodNotAllowed, 405, "The path exists, the method does not.", "See the Allow header."},
	{InvalidRequest, 422, "A value in the request is not valid.", "Each entry of errors names the field and the fix."},
	{KeyReused, 422, "The idempotency key was used with another body.", "Use a new Idempotency-Key for a new request; the same key is for retries of the same body."},
	{Conflict, 409, "Somebody else changed it first.", "Read it again and repeat the change with the version you read."},
	{NotAllowedNow, 409, "This is not allowed as things stand.", "The detail says what stands in the way."},
	{RateLimited, 429, "Too many messages this second.", "Wait for Retry-After, then go on more slowly. The detail names the tenant's limit."},
	{DailyLimit, 429, "The tenant's limit for the day is used up.", "Wait for Retry-After, or ask an operator for a higher limit."},
	{RecipientLimit, 429, "The recipient, or the numbers around it, were sent too many codes.", "Do not send more: tell the user to use the code that came, or to wait for Retry-After. The detail names the cap."},
	{Unavailable, 503, "The service cannot keep the request right now.", "Nothing was accepted. Repeat it with the same Idempotency-Key after Retry-After."},
	{Internal, 500, "Something went wrong on our side.", "Repeat it with the same Idempotency-Key; tell us the request id if it stays."},

	{Required, 422, "A required value is missing.", "Add it."},
	{UnknownField, 422, "There is no such field.", "Remove it, or check its spelling and case."},
	{BadType, 422, "The value has the wrong type.", "Send the type that the detail names."},
	{BadValue, 422, "The value is not allowed.", "Send one of the values that the detail names."},
	{TooLong, 422, "The value is too long.", "Shorten it to the length that the detail names."},
	{TooMany, 422, "There are too many values.", "Send fewer, or several requests."},
	{BadAddress, 422, "The recipient's address cannot be read.", "Send the form that the detail names for this channel."},
	{UnknownTenant, 422, "There is no such tenant.", "Check its name."},
	{UnknownTemplate, 422, "There is no such template, or the tenant may not use it.", "Check its name; its owner can share it."},
	{NotPublished, 422, "The template has no published version.", "Publish a version, or send with a test key."},
	{NoVariant, 422, "The template has no variant for this channel and locale.", "Add the variant, or choose another channel."},
	{UnknownVariable, 422, "The template does not declare this variable.", "Remove it, or check its spelling."},
	{MissingVariable, 422, "The template needs this variable.", "Add it."},
	{UnknownChannel, 422, "There is no such channel.", "Use one of the channels that the detail names."},
	{ChannelOff, 422, "The channel is not switched on here.", "An operator adds an account for it, and the stack's parameter where it has queues of its own."},
	{NotBound, 422, "No account that is switched on can send this template.", "An operator binds the version to the vendor's own template over one of the accounts that the detail names, see PUT …/bindings/{account}, or switches an account on that needs no binding."},
	{ContentRefused, 422, "Free content is not allowed here.", "Use a template, or ask an operator to allow free content for the tenant."},
	{BadTime, 422, "The time cannot be used.", "Send the form that the detail names. A time is RFC 3339 with a zone; one to send at is not in the past and not more than 365 days ahead."},
}

// Kinds lists the table in order of status and code.
func Kinds() []Kind {
	out := slices.Clone(kinds)
	slices.SortFunc(out, func(a, b Kind) int {
		return cmp.Or(cmp.Compare(a.Status, b.Status), cmp.Compare(a.Code, b.Code))
	})
	return out
}
