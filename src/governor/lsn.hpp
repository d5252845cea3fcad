#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pgsluice::governor {

/// A position in the write-ahead log, in bytes.
using Lsn = std::uint64_t;

/// "16/B374D848" → Lsn; nullopt for anything that PostgreSQL's pg_lsn would refuse.
std::optional<Lsn> parse_lsn(std::string_view text);

/// As PostgreSQL prints it.
std::string lsn_text(Lsn lsn);

}  // namespace pgsluice::governor
