#pragma once

#include <optional>
#include <string>

#include "pg/cast_pairs.hpp"
#include "support/db.hpp"

namespace pgsluice::test {

/// What the server says against a statement; nothing when it takes it.
std::optional<std::string> refusal_by_server(Db& db, const std::string& sql);

/// How the server by itself makes column c another type.
struct Conversion {
  std::string to;          // the type
  std::string expression;  // of USING; empty: the assignment cast
  bool is_possible = true;

  std::string alter(const std::string& table) const;
};

/// What becomes of a value on its way.
enum class Fit {
  kClean,  // it comes back as the very same, or nothing leads back
  kLossy,  // it comes back as another, or not at all
  kNone    // the other type does not take it, or its own does not
};

/// Both ways of a pair, as the plain ALTER TABLE goes them: what the operator says, else the assignment cast,
/// else the explicit one. `is_required`: no NULL. Tries values on temporary tables of `db`, which outlives
/// it.
class Conversions {
 public:
  Conversions(Db& db, const CastPair& pair, bool is_required);

  const Conversion& forth() const { return forth_; }
  const Conversion& back() const { return back_; }

  /// Of a value in the old type and in the new one, given as SQL.
  Fit fit(const std::string& value);
  Fit fit_back(const std::string& value);

 private:
  Conversion resolve(const std::string& from, const std::string& to, const std::string& type,
                     const std::string& given);
  Fit try_out(const std::string& value, const std::string& here, const std::string& there,
              const Conversion& away, const Conversion& home);

  Db& db_;
  Conversion forth_;
  Conversion back_;
};

}  // namespace pgsluice::test
