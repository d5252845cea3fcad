#include "pg/value_writes.hpp"

namespace pgsluice::test {

namespace {

using Kind = Write::Kind;

int some_id(int last, Random& random) {
  return 1 + static_cast<int>(pick(random, static_cast<std::size_t>(last)));
}

Write random_write(const std::string& type, const std::string& other, int* last, Random& random) {
  static const std::vector<Kind> kinds{Kind::kInsert, Kind::kInsert, Kind::kValue, Kind::kValue,
                                       Kind::kValue,  Kind::kCopy,   Kind::kOther, Kind::kOther,
                                       Kind::kSame,   Kind::kDelete};
  Write write{one_of(random, kinds)};
  write.id = write.kind == Kind::kInsert ? ++*last : some_id(*last, random);
  write.source = some_id(*last, random);
  write.value = random_mixed_literal(type, other, random);
  return write;
}

}  // namespace

bool Write::is_of_value() const {
  return kind == Kind::kInsert || kind == Kind::kValue || kind == Kind::kCopy;
}

std::string Write::new_value(const std::string& table) const {
  if (kind == Kind::kCopy) return "(SELECT c FROM " + table + " WHERE id = " + std::to_string(source) + ")";
  return value;
}

std::string Write::sql(const std::string& table) const {
  const auto key = std::to_string(id);
  if (kind == Kind::kInsert) {
    return "INSERT INTO " + table + " (id, c, note, n) VALUES (" + key + ", " + value + ", 'new', 0)";
  }
  if (kind == Kind::kDelete) return "DELETE FROM " + table + " WHERE id = " + key;
  std::string sets = "n = n + 1";
  if (is_of_value()) sets = "c = " + new_value(table);
  if (kind == Kind::kOther) sets += ", note = note || '+'";
  if (kind == Kind::kSame) sets += ", c = c";
  return "UPDATE " + table + " SET " + sets + " WHERE id = " + key;
}

std::string random_mixed_literal(const std::string& type, const std::string& other, Random& random) {
  return random_literal(chance(random, 65) ? type : other, random);
}

std::vector<Write> random_writes(const std::string& type, const std::string& other, std::size_t count,
                                 int* last, Random& random) {
  std::vector<Write> result;
  const auto confusing = lookalikes(type);
  while (result.size() < count) {
    result.push_back(random_write(type, other, last, random));
    if (confusing.empty() || !chance(random, 30)) continue;
    const auto id = some_id(*last, random);
    for (int n = 0; n < 2; ++n) result.push_back({Kind::kValue, id, one_of(random, confusing)});
  }
  return result;
}

std::string random_settings(Random& random) {
  using Names = std::vector<std::string>;
  static const Names zones{"UTC", "America/New_York", "Asia/Kolkata", "Europe/Berlin", "Pacific/Kiritimati"};
  static const Names dates{"ISO, MDY", "ISO, DMY", "SQL, DMY", "German", "Postgres, MDY"};
  static const Names intervals{"postgres", "iso_8601", "sql_standard", "postgres_verbose"};
  static const Names digits{"1", "0", "-5", "3"};
  static const Names bytes{"hex", "escape"};
  return "SET TimeZone = '" + one_of(random, zones) + "'; SET DateStyle = '" + one_of(random, dates) +
         "'; SET IntervalStyle = '" + one_of(random, intervals) +
         "'; SET extra_float_digits = " + one_of(random, digits) + "; SET bytea_output = '" +
         one_of(random, bytes) + "'";
}

}  // namespace pgsluice::test
