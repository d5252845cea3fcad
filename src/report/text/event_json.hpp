#pragma once

#include <cstdint>
#include <string>

#include "pgsluice/event.hpp"

namespace pgsluice::report {

/// Version of the JSON lines. A version may gain fields and types, but none changes its meaning.
constexpr int kJsonSchema = 1;

/// The body's fields as the text of one JSON object, without a line feed: what the job's event log stores and
/// what the JSON line carries besides its common fields. Durations are in seconds; unknown values are null.
/// Never throws because of its text: bytes that are not UTF-8, and zero bytes (jsonb takes none), become
/// U+FFFD.
std::string event_fields_json(const EventBody& body);

/// One JSON line without its line feed: schema, ts, type, job, run_id and seq, then the body's fields.
std::string event_line_json(const Event& event, std::int64_t seq);

}  // namespace pgsluice::report
