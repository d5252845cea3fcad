#include "walk/keyset.hpp"

#include <algorithm>

#include "pg/identifier.hpp"

namespace pgsluice::walk {
namespace {

std::string joined(const std::vector<std::string>& parts, const char* separator) {
  std::string out;
  for (const auto& part : parts) {
    if (!out.empty()) out += separator;
    out += part;
  }
  return out;
}

void append(pg::Params& params, const pg::Key& key) {
  params.insert(params.end(), key.begin(), key.end());
}

}  // namespace

Keyset::Keyset(std::string table_sql, std::vector<pg::Column> key, Lead lead)
    : table_sql_(std::move(table_sql)), key_(std::move(key)), lead_(lead) {}

// Qualified, because in ORDER BY a bare name means the output column first: the key's text, in text order.
std::string Keyset::columns(const char* suffix) const {
  std::vector<std::string> names;
  for (const auto& c : key_) names.push_back("t." + pg::Identifier(c.name).sql() + suffix);
  return joined(names, ", ");
}

std::string Keyset::row_of_columns() const {
  return "(" + columns() + ")";
}

std::string Keyset::parameter(std::size_t column, int first) const {
  return "$" + std::to_string(first + static_cast<int>(column)) + "::" + key_[column].type;
}

std::string Keyset::row(int first) const {
  std::vector<std::string> parts;
  for (std::size_t i = 0; i < key_.size(); ++i) parts.push_back(parameter(i, first));
  return "(" + joined(parts, ", ") + ")";
}

std::string Keyset::selected_texts(const char* alias) const {
  std::vector<std::string> parts;
  for (std::size_t i = 0; i < key_.size(); ++i) {
    parts.push_back((*alias ? std::string(alias) + ".k" + std::to_string(i + 1)
                            : "t." + pg::Identifier(key_[i].name).sql()) +
                    "::text");
  }
  return joined(parts, ", ");
}

/// CASE WHEN l1 = r1 THEN 1 + CASE WHEN l2 = r2 THEN 1 ELSE 0 END ELSE 0 END
std::string Keyset::equal_prefix(const std::vector<std::string>& left,
                                 const std::vector<std::string>& right) const {
  std::string sql = "0";
  for (std::size_t i = key_.size(); i-- > 0;) {
    sql = "CASE WHEN " + left[i] + " = " + right[i] + key_[i].collation + " THEN 1 + " + sql + " ELSE 0 END";
  }
  return sql;
}

/// First the value that so many rows later stands in the first column, by the index alone; then the highest
/// of the rows that have it, of which there are few. Of one value that has more rows than are asked for,
/// which an earlier bound has cut, as many as that.
Fragment Keyset::bound_by_first(const std::optional<pg::Key>& lower, const pg::Key& range_upper,
                                std::int64_t rows) const {
  const int n = static_cast<int>(key_.size());
  const auto first = "t." + pg::Identifier(key_.front().name).sql();
  std::vector<std::string> own;
  std::vector<std::string> low;
  std::vector<std::string> selected;
  std::vector<std::string> rest_down;
  for (std::size_t i = 0; i < key_.size(); ++i) {
    const auto alias = "k" + std::to_string(i + 1);
    own.push_back("s." + alias);
    low.push_back(parameter(i, 2 + n));
    selected.push_back("t." + pg::Identifier(key_[i].name).sql() + " AS " + alias);
    if (i > 0) rest_down.push_back("g." + alias + " DESC");
  }
  const auto from = " FROM " + table_sql_ + " t WHERE ";
  const auto later = "(SELECT " + first + " FROM " + table_sql_ + " t" +
                     (lower ? " WHERE " + first + " > " + low.front() : "") + " ORDER BY " + first +
                     " OFFSET $1::bigint LIMIT 1)";
  const auto behind = lower ? " AND " + row_of_columns() + " > " + row(2 + n) : "";
  const auto value = !lower ? later
                            : "CASE WHEN EXISTS (SELECT" + from + first + " = " + low.front() + behind +
                                  " OFFSET $1::bigint LIMIT 1)\n       THEN " + low.front() + " ELSE " +
                                  later + " END";
  Fragment f;
  f.sql = "SELECT " + selected_texts("s") + ", (" + joined(own, ", ") + ") >= " + row(2) + ", " +
          (lower ? equal_prefix(own, low) : "0") + "\nFROM (SELECT " + value +
          " AS k) v\nCROSS JOIN LATERAL (SELECT *" + " FROM (SELECT " + joined(selected, ", ") + from +
          first + " = v.k" + behind + "\n      ORDER BY " + columns() + " LIMIT $1::bigint + 1) g ORDER BY " +
          joined(rest_down, ", ") + " LIMIT 1) s";
  f.params.emplace_back(std::to_string(rows - 1));
  append(f.params, range_upper);
  if (lower) append(f.params, *lower);
  return f;
}

Fragment Keyset::bound(const std::optional<pg::Key>& lower, const pg::Key& range_upper,
                       std::int64_t rows) const {
  if (lead_ == Lead::kFirstColumn && key_.size() > 1) return bound_by_first(lower, range_upper, rows);
  const int n = static_cast<int>(key_.size());
  std::vector<std::string> inner;
  std::vector<std::string> own;
  std::vector<std::string> low;
  for (std::size_t i = 0; i < key_.size(); ++i) {
    const auto alias = "k" + std::to_string(i + 1);
    inner.push_back("t." + pg::Identifier(key_[i].name).sql() + " AS " + alias);
    own.push_back("s." + alias);
    low.push_back(parameter(i, 2 + n));
  }
  Fragment f;
  // Expressions over the key are outside: inside, the server would compute them for every row that OFFSET
  // skips.
  f.sql = "SELECT " + selected_texts("s") + ", (" + joined(own, ", ") + ") >= " + row(2) + ", " +
          (lower ? equal_prefix(own, low) : "0") + "\nFROM (SELECT " + joined(inner, ", ") + " FROM " +
          table_sql_ + " t" + (lower ? " WHERE " + row_of_columns() + " > " + row(2 + n) : "") +
          "\n      ORDER BY " + columns() + " OFFSET $1::bigint LIMIT 1) s";
  f.params.emplace_back(std::to_string(rows - 1));
  append(f.params, range_upper);
  if (lower) append(f.params, *lower);
  return f;
}

std::optional<Keyset::Bound> Keyset::read_bound(const pg::Rows& answer) const {
  if (answer.empty()) return std::nullopt;
  const auto n = key_.size();
  return Bound{read_key(answer, 0), answer.boolean(0, n), static_cast<int>(answer.integer(0, n + 1))};
}

Fragment Keyset::remainder(const std::optional<pg::Key>& lower, const pg::Key& upper,
                           std::int64_t rows) const {
  const int n = static_cast<int>(key_.size());
  std::vector<std::string> up;
  std::vector<std::string> low;
  for (std::size_t i = 0; i < key_.size(); ++i) {
    up.push_back(parameter(i, 2));
    low.push_back(parameter(i, 2 + n));
  }
  Fragment f;
  f.sql = "SELECT count(*) FILTER (WHERE s.is_inside), " +
          (lower ? equal_prefix(low, up) : std::string("0")) + "\nFROM (SELECT " + row_of_columns() +
          " <= " + row(2) + " AS is_inside FROM " + table_sql_ + " t" +
          (lower ? " WHERE " + row_of_columns() + " > " + row(2 + n) : "") + " ORDER BY " + columns() +
          " LIMIT $1::bigint) s";
  f.params.emplace_back(std::to_string(rows));
  append(f.params, upper);
  if (lower) append(f.params, *lower);
  return f;
}

Fragment Keyset::predicate(const KeySlice& slice) const {
  const int n = static_cast<int>(key_.size());
  Fragment f;
  // Each use has its own parameter: a parameter that no piece uses would have no type.
  const auto bind = [&](const pg::Key& key, int i) {
    f.params.emplace_back(key[static_cast<std::size_t>(i)]);
    return parameter(static_cast<std::size_t>(i), static_cast<int>(f.params.size()) - i);
  };
  const auto name = [&](int i) { return pg::Identifier(key_[static_cast<std::size_t>(i)].name).sql(); };
  const auto low = [&](int i) { return bind(*slice.lower, i); };
  const auto up = [&](int i) { return bind(slice.upper, i); };
  const int prefix = slice.lower ? std::min(slice.equal_prefix, n - 1) : 0;

  std::vector<std::string> conditions;
  for (int i = 0; i < prefix; ++i) conditions.push_back(name(i) + " = " + up(i));
  if (slice.lower && prefix == n - 1) {
    conditions.push_back(name(n - 1) + " > " + low(n - 1));
    conditions.push_back(name(n - 1) + " <= " + up(n - 1));
    f.sql = joined(conditions, " AND ");
    return f;
  }

  // A piece fixes columns prefix … last-1 to one end's values and bounds column `last`.
  const auto piece = [&](const auto& end, int last, const char* op) {
    std::vector<std::string> parts;
    for (int i = prefix; i < last; ++i) parts.push_back(name(i) + " = " + end(i));
    parts.push_back(name(last) + op + end(last));
    return joined(parts, " AND ");
  };
  std::vector<std::string> pieces;
  if (slice.lower) {
    for (int last = n - 1; last > prefix; --last) pieces.push_back(piece(low, last, " > "));
    pieces.push_back(name(prefix) + " > " + low(prefix) + " AND " + name(prefix) + " < " + up(prefix));
  } else if (n > 1) {
    pieces.push_back(name(0) + " < " + up(0));
  }
  for (int last = n > 1 ? prefix + 1 : 0; last < n; ++last)
    pieces.push_back(piece(up, last, last == n - 1 ? " <= " : " < "));

  for (auto& p : pieces) p = "(" + p + ")";
  conditions.push_back(pieces.size() == 1 ? pieces.front() : "(" + joined(pieces, " OR ") + ")");
  f.sql = joined(conditions, " AND ");
  return f;
}

Fragment Keyset::sample(const std::optional<pg::Key>& lower, const std::optional<pg::Key>& upper, int parts,
                        double percent) const {
  std::vector<std::string> aliased;
  std::vector<std::string> ordered;
  for (std::size_t i = 0; i < key_.size(); ++i) {
    ordered.push_back("k" + std::to_string(i + 1));
    aliased.push_back("t." + pg::Identifier(key_[i].name).sql() + " AS " + ordered.back());
  }
  Fragment f;
  f.params = {std::to_string(percent), std::to_string(parts)};
  std::vector<std::string> bounds;
  for (const auto& [end, op] : {std::pair{&lower, " > "}, std::pair{&upper, " <= "}}) {
    if (!*end) continue;
    bounds.push_back(row_of_columns() + op + row(static_cast<int>(f.params.size()) + 1));
    append(f.params, **end);
  }
  f.sql = "SELECT " + selected_texts("s") + ", s.total\nFROM (SELECT p.*, row_number() OVER (ORDER BY " +
          joined(ordered, ", ") + ") AS n, count(*) OVER () AS total\n      FROM (SELECT " +
          joined(aliased, ", ") + " FROM " + table_sql_ + " t TABLESAMPLE SYSTEM ($1::real)" +
          (bounds.empty() ? "" : " WHERE " + joined(bounds, " AND ")) +
          ") p) s\nWHERE s.n * $2::bigint / s.total > (s.n - 1) * $2::bigint / s.total AND s.n < "
          "s.total\nORDER BY s.n";
  return f;
}

std::string Keyset::slices_of(const std::string& from_where, int limit) const {
  std::vector<std::string> bare;
  std::vector<std::string> aliased;
  std::vector<std::string> own;
  for (std::size_t i = 0; i < key_.size(); ++i) {
    const auto alias = "k" + std::to_string(i + 1);
    bare.push_back(pg::Identifier(key_[i].name).sql() + " AS " + alias);
    aliased.push_back("t." + bare.back());
    own.push_back("s." + alias);
  }
  return "SELECT " + selected_texts("s") + ", " + selected_texts("p") + "\nFROM (SELECT " +
         joined(bare, ", ") + "\n" + from_where + "\nLIMIT " + std::to_string(limit) +
         ") s\nLEFT JOIN LATERAL (SELECT " + joined(aliased, ", ") + " FROM " + table_sql_ + " t WHERE " +
         row_of_columns() + " < (" + joined(own, ", ") + ")\n  ORDER BY " + columns(" DESC") +
         " LIMIT 1) p ON true\nORDER BY " + joined(own, ", ");
}

std::vector<Keyset::Slice> Keyset::read_slices(const pg::Rows& answer) const {
  std::vector<Slice> slices;
  for (std::size_t i = 0; i < answer.size(); ++i) {
    const auto key = read_key(answer, i);
    std::optional<pg::Key> before;
    if (!answer.is_null(i, key_.size())) before = read_key(answer, i, key_.size());
    if (!slices.empty() && before == slices.back().slice.upper) {
      slices.back().slice.upper = key;
      ++slices.back().rows;
    } else {
      slices.push_back({{before, key, 0}, 1});
    }
  }
  return slices;
}

std::string Keyset::highest() const {
  return "SELECT " + selected_texts("") + "\nFROM " + table_sql_ + " t\nORDER BY " + columns(" DESC") +
         "\nLIMIT 1";
}

std::string Keyset::is_before(const std::string& array_expression, int first) const {
  std::vector<std::string> elements;
  for (std::size_t i = 0; i < key_.size(); ++i) {
    elements.push_back("(" + array_expression + ")[" + std::to_string(i + 1) + "]::" + key_[i].type +
                       key_[i].collation);
  }
  return "(" + joined(elements, ", ") + ") < " + row(first);
}

pg::Key Keyset::read_key(const pg::Rows& answer, std::size_t row, std::size_t column) const {
  pg::Key key;
  for (std::size_t i = 0; i < key_.size(); ++i) key.push_back(answer.text(row, column + i));
  return key;
}

}  // namespace pgsluice::walk
