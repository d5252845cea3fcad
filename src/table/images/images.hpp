#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "pg/catalog/catalog.hpp"
#include "pgsluice/job.hpp"

namespace pgsluice::engine {

inline constexpr int kVersionThatReturnsOld = 180000;  // UPDATE … RETURNING old.*

/// The before-images of a step: for each changed row its key, old values and new values, in a table of the
/// ledger's schema. A value.
struct Images {
  std::int64_t step_id = 0;         // 0: not in the ledger yet, so only fit for `plan`
  pg::Table table;                  // whose rows they are
  std::vector<pg::Column> key;      // a unique, NOT NULL key that the step does not change
  std::vector<pg::Column> changed;  // what the step sets
  bool server_returns_old = false;

  /// Name without a schema: "image_42".
  std::string name() const;
  /// Quoted and qualified.
  std::string table_sql() const;
};

/// The images that a step with `keep` has or will have. Images that are there were written along a key, of
/// columns and types that still count: another key chosen today would name other rows. Throws Error(kRefused)
/// for a table without a key that can name a row, or with a rule that rewrites the UPDATE, or whose images
/// could not be kept (see refuse_unfit_images()), or if the table or a column is not what the images were
/// written of; Failure.
Images images_of(pg::Session& session, const pg::Table& table, const BackfillStep& step,
                 std::int64_t step_id);

/// Creates their table unless it is there. Commits by itself; two runs may do it at once. `kept_for`: how
/// long after the step's end; nothing: until they are freed. Throws Error(kPrivileges), Failure.
void create_images(pg::Session& session, const Images& images, std::optional<std::chrono::hours> kept_for);
/// The same with a table that `sql` makes.
void create_images_as(pg::Session& session, const Images& images, std::optional<std::chrono::hours> kept_for,
                      const std::string& sql);
/// The images that are there, with today's names of their table and columns. Throws Error(kRefused) if these
/// are gone or have other types, Failure. REQUIRES: they are there.
Images images_to_restore(pg::Session& session, std::int64_t step_id);

std::vector<std::string> names_of(const std::vector<pg::Column>& columns);

/// What the server knows of a step's images.
struct StoredImages {
  bool is_there = false;
  std::int64_t bytes = 0;  // with TOAST and indexes
};
StoredImages stored_images(pg::Session& session, std::int64_t step_id);

}  // namespace pgsluice::engine
