#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include "table/copy/copying.hpp"

namespace pgsluice::engine {

/// A statement at the source: the reading of one batch, whole in memory before the target hears of it.
inline constexpr std::chrono::milliseconds kSourceStatement{30'000};
/// At the source: longer than a statement may take, shorter than a run waits for a server that is away. A
/// frozen server sends nothing at all, so its own timeouts do not end it.
inline constexpr std::chrono::milliseconds kSourceSilence{45'000};

/// The statements of a copy. Pure; a walk's conditions stand where `predicate` is.

/// Read-only, and with all that changes how a value is written.
std::string begin_reading_sql(bool is_without_encoding);
/// At the source, before each batch.
std::string begin_source_sql(const Copying& copying);
/// A line for each row, in key order: the key, then the copied columns. `rows_most` 0: all rows.
std::string copy_out_sql(const Copying& copying, const std::string& predicate, std::size_t rows_most = 0);
/// The same of the rows with these keys, in no order: key_arrays() of them.
std::string copy_keys_out_sql(const Copying& copying, const pg::Params& key_arrays);
/// Beforehand: a few rows, and a temporary table that they must fit into.
std::string read_tried_sql(const Copying& copying);
std::string make_tried_sql(const Copying& copying);
std::string copy_into_tried_sql(const Copying& copying);
/// After the BEGIN of a batch at the target.
std::string target_settings(const Copying& copying);
std::string copy_in_sql(const Copying& copying, const std::string& into_sql);
/// Lets a sequence go on behind a copied value; never moves it back.
std::string raise_sequence_sql(const std::string& sequence_sql, std::int64_t value);

}  // namespace pgsluice::engine
