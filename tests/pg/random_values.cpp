#include "pg/random_values.hpp"

#include <functional>
#include <map>

namespace pgsluice::test {

namespace {

using Values = std::vector<std::string>;

// Extremes of each type, and what its casts are known to stumble over.
const std::map<std::string, Values>& extremes() {
  static const Values text{"",
                           " ",
                           "a",
                           "A",
                           "a ",
                           "a  ",
                           " a",
                           "ab",
                           "abc",
                           "abcdefgh",
                           "abcdefghi",
                           "é",
                           "e\u0301",
                           "ß",
                           "🙂",
                           "null",
                           "0",
                           "1",
                           "-1",
                           "1.0",
                           "1.00",
                           "007",
                           "true",
                           "NaN",
                           "infinity",
                           "2147483648",
                           "{}",
                           "[]",
                           "{\"a\": 1}",
                           " { \"a\" :1, \"a\":2 }",
                           "{1,2}",
                           "{\"n\": 1.0}",
                           "\"\\u0000\"",
                           "2024-02-29",
                           "01/02/2003",
                           "12:34",
                           "1 day",
                           "0101",
                           "sad",
                           "very happy",
                           "127.0.0.1",
                           "quo'te",
                           "back\\slash",
                           "\\xDEAD",
                           "tab\there",
                           "line\n",
                           "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
                           std::string(3000, 'x')};
  static const Values timestamps{"infinity",
                                 "-infinity",
                                 "4713-11-24 00:00:00 BC",
                                 "2024-03-31 02:30:00",
                                 "294276-12-31 23:59:59.999999",
                                 "1999-12-31 23:59:59.999999",
                                 "2024-10-27 01:30:00.5",
                                 "1970-01-01",
                                 "2024-02-29 00:00:00"};
  static const Values floats{"0",        "-0",       "1",        "1.5",          "2.5",  "-0.5",
                             "0.1",      "NaN",      "Infinity", "-Infinity",    "1e38", "1e-37",
                             "16777216", "16777217", "32767.4",  "3.4028235e38", "1e10"};
  static const Values json{"{}",
                           "[]",
                           "null",
                           "1",
                           "1.0",
                           "1.00",
                           "1e3",
                           "-0",
                           "true",
                           "\"a\"",
                           "\"\\u00e9\"",
                           "\"\\u0000\"",
                           "{\"a\":1,\"a\":2}",
                           " {\"b\" : 1 , \"a\" : [1,2] } ",
                           "{\"a\":1}",
                           "{\"a\": 1.0}",
                           "123456789012345678901234567890",
                           "12.5",
                           "32768",
                           "\"\""};
  static const Values oids{"0", "1", "2200", "1259", "2147483648", "4294967295"};
  static const std::map<std::string, Values> all{
      {"int2", {"0", "1", "-1", "7", "255", "32767", "-32768"}},
      {"int4", {"0", "1", "-1", "127", "128", "32768", "16777217", "2147483647", "-2147483648"}},
      {"int8",
       {"0", "1", "-1", "32767", "2147483648", "9007199254740993", "9223372036854775807",
        "-9223372036854775808"}},
      {"numeric",
       {"0",
        "0.0",
        "0.00",
        "1",
        "1.0",
        "1.00",
        "-1.50",
        "0.5",
        "2.5",
        "-0.5",
        "NaN",
        "Infinity",
        "-Infinity",
        "1e20",
        "1e-20",
        "99.95",
        "999.995",
        "32767.4",
        "9223372036854775807.5",
        "123456789012345678901234567890.123456789"}},
      {"float4", floats},
      {"float8",
       {"0", "-0", "1", "1.5", "2.5", "-0.5", "0.1", "NaN", "Infinity", "-Infinity", "5e-324",
        "1.7976931348623157e308", "16777217", "9007199254740993", "3.4028236e38", "0.30000000000000004"}},
      {"money", {"0", "1.23", "-1.23", "92233720368547758.07", "-92233720368547758.08"}},
      {"bool", {"t", "f"}},
      {"text", text},
      {"varchar", text},
      {"bpchar", text},
      {"citext", text},
      {"name", text},
      {"code", text},
      {"char", {"", "a", "z", "0", " "}},
      {"oid", oids},
      {"xid", oids},
      {"xid8", {"0", "1", "4294967296", "18446744073709551615"}},
      {"date",
       {"infinity", "-infinity", "4713-01-01 BC", "5874897-12-31", "0001-01-01", "1970-01-01", "2024-02-29",
        "1999-12-31"}},
      {"timestamp", timestamps},
      {"timestamptz", timestamps},
      {"time", {"00:00", "24:00:00", "23:59:59.999999", "12:34:56.5", "12:00"}},
      {"timetz", {"00:00+00", "24:00:00-12:59", "23:59:59.999999+15:59", "12:00+00", "14:00+02"}},
      {"interval",
       {"0", "1 day", "24 hours", "1 mon", "30 days", "-1 year 2 mons", "178000000 years", "1.5 seconds",
        "0.000001 seconds", "1 year 2 mons 3 days 04:05:06.789", "-25:00"}},
      {"bytea", {"", "\\x00ff", "\\xdeadbeef", "abc", "\\x20", "\\x5c"}},
      {"bit", {"0", "1", "0000", "1010", "1111", "00000000", "10000000", "11111111"}},
      {"varbit", {"", "0", "1", "1010", "10100", "11111111", "000000000000"}},
      {"json", json},
      {"jsonb", json},
      {"uuid",
       {"00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff",
        "{6BA7B810-9DAD-11D1-80B4-00C04FD430C8}"}},
      {"inet", {"127.0.0.1", "10.0.0.1/8", "::1", "2001:db8::/32", "0.0.0.0/0", "10.0.0.0/8"}},
      {"cidr", {"127.0.0.1", "10.0.0.0/8", "::1", "2001:db8::/32", "0.0.0.0/0"}},
      {"macaddr", {"08:00:2b:01:02:03", "00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff"}},
      {"macaddr8", {"08:00:2b:ff:fe:01:02:03", "08:00:2b:01:02:03:04:05", "00:00:00:ff:fe:00:00:00"}},
      {"xml", {"<a/>", "<a></a>", "plain", "<a>1</a><b/>", " ", "<a  b='1'/>"}},
      {"point", {"(0,0)", "(-0,0)", "(1.5,-2)", "(NaN,Infinity)", "(1e300,1)"}},
      {"lseg", {"[(0,0),(1,1)]", "[(1,1),(0,0)]", "[(0,0),(0,0)]"}},
      {"box", {"(1,1),(0,0)", "(2,0.5),(1,0)", "(0,0),(0,0)", "(2,2),(-0,-1)"}},
      {"path", {"[(0,0),(1,1)]", "((0,0),(1,1))", "((0,0),(1,1),(2,0))", "((5,5),(6,6),(7,5))"}},
      {"polygon", {"((0,0),(1,1),(2,0))", "((1,1),(2,0),(0,0))", "((0,0),(0,2),(2,2),(2,0))"}},
      {"circle", {"<(0,0),1>", "<(3,3),1>", "<(0,0),0>", "<(1.5,-2),1e10>"}},
      {"int4range", {"empty", "(,)", "[1,5)", "[1,1]", "[-2147483648,]"}},
      {"int8range", {"empty", "(,)", "[1,5)", "[1,1]", "(,9223372036854775807)"}},
      {"numrange", {"empty", "(,)", "[1,5)", "[1.0,5.00)", "(1,5]"}},
      {"daterange", {"empty", "(,)", "[2024-02-29,2024-03-01)", "[-infinity,infinity]"}},
      {"tsrange", {"empty", "(,)", "[2024-02-29 12:00,2024-03-01)", "[-infinity,infinity]"}},
      {"tstzrange", {"empty", "(,)", "[2024-02-29 12:00+00,2024-03-01 00:00+00)"}},
      {"int4multirange", {"{}", "{[1,5)}", "{[1,2),[5,7)}"}},
      {"int8multirange", {"{}", "{[1,5)}", "{[1,2),[5,7)}"}},
      {"nummultirange", {"{}", "{[1,5)}", "{[1.0,2.00),[5,7)}"}},
      {"datemultirange", {"{}", "{[2024-02-29,2024-03-01)}"}},
      {"tsmultirange", {"{}", "{[2024-02-29 12:00,2024-03-01)}"}},
      {"tstzmultirange", {"{}", "{[2024-02-29 12:00+00,2024-03-01 00:00+00)}"}},
      {"mood", {"sad", "ok", "very happy", ""}},
      {"positive", {"1", "2", "5", "2147483647"}},
  };
  return all;
}

/// As "abs"; REQUIRES: low <= high.
std::string digits(Random& random, int low, int high) {
  return std::to_string(std::uniform_int_distribution<int>(low, high)(random));
}

std::string small_number(Random& random) {
  return (chance(random, 30) ? "-" : "") + digits(random, 0, chance(random, 70) ? 99 : 30000);
}

std::string decimal(Random& random) {
  static const Values fractions{"", ".0", ".00", ".5", ".25", ".125", ".10"};
  return small_number(random) + one_of(random, fractions);
}

std::string word(Random& random) {
  static const std::string signs = "abcXYZ019 .-";
  std::string result(pick(random, 10), 'a');
  for (auto& sign : result) sign = signs[pick(random, signs.size())];
  return result;
}

std::string day(Random& random) {
  return digits(random, 1900, 2100) + "-" + digits(random, 1, 12) + "-" + digits(random, 1, 28);
}

std::string moment(Random& random) {
  return day(random) + " " + digits(random, 0, 23) + ":" + digits(random, 10, 59) + ":" +
         digits(random, 10, 59) + (chance(random, 50) ? "" : "." + digits(random, 1, 999999));
}

std::string bits(Random& random) {
  std::string result(one_of(random, std::vector<std::size_t>{1, 4, 8}), '0');
  for (auto& bit : result) bit = chance(random, 50) ? '1' : '0';
  return result;
}

using Maker = std::function<std::string(Random&)>;

// Ordinary values beside the extremes; types that are not here have extremes only.
const std::map<std::string, Maker>& makers() {
  static const std::map<std::string, Maker> all{
      {"int2", small_number}, {"int4", small_number}, {"int8", small_number},  {"numeric", decimal},
      {"float4", decimal},    {"float8", decimal},    {"money", decimal},      {"text", word},
      {"varchar", word},      {"bpchar", word},       {"citext", word},        {"name", word},
      {"date", day},          {"timestamp", moment},  {"timestamptz", moment}, {"bit", bits},
      {"varbit", bits},       {"json", decimal},      {"jsonb", decimal}};
  return all;
}

bool is_array(const std::string& type) {
  return type.starts_with("_");
}

// Every reg type reads a bare number as an object's id.
std::string values_of(const std::string& type) {
  return type.starts_with("reg") ? "oid" : type;
}

std::string doubled(const std::string& text, char sign) {
  std::string result;
  for (const char c : text) result.append(c == sign ? 2 : 1, c);
  return result;
}

std::string random_value(const std::string& type, Random& random);

std::string array_element(const std::string& type, Random& random) {
  if (chance(random, 10)) return "NULL";
  std::string result = "\"";
  for (const char c : random_value(type, random))
    result += c == '"' || c == '\\' ? std::string{'\\', c} : std::string{c};
  return result + "\"";
}

std::string array(const std::string& element, Random& random) {
  std::string result;
  for (auto count = pick(random, 4); count > 0; --count) {
    result += (result.empty() ? "" : ",") + array_element(element, random);
  }
  return "{" + result + "}";
}

std::string random_value(const std::string& type, Random& random) {
  if (is_array(type)) return array(type.substr(1), random);
  const auto key = values_of(type);
  const auto maker = makers().find(key);
  if (maker != makers().end() && chance(random, 50)) return maker->second(random);
  return one_of(random, extremes().at(key));
}

std::string quoted(const std::string& text) {
  return "'" + doubled(text, '\'') + "'";
}

}  // namespace

std::size_t pick(Random& random, std::size_t count) {
  return std::uniform_int_distribution<std::size_t>(0, count - 1)(random);
}

bool chance(Random& random, int percent) {
  return static_cast<int>(pick(random, 100)) < percent;
}

bool has_values(const std::string& type) {
  return extremes().contains(is_array(type) ? values_of(type.substr(1)) : values_of(type));
}

std::string random_literal(const std::string& type, Random& random) {
  if (chance(random, 6)) return "NULL";
  return quoted(random_value(type, random));
}

std::vector<std::string> lookalikes(const std::string& type) {
  static const Values numbers{"'1'", "'1.0'", "'1.00'"};
  static const Values letters{"'a'", "'A'", "'a '", "'a  '"};
  static const Values objects{R"('{"a":1}')", R"('{"a": 1.0}')", R"('{"a":1.00}')"};
  static const std::map<std::string, Values> all{{"numeric", numbers},
                                                 {"float4", {"'0'", "'-0'"}},
                                                 {"float8", {"'0'", "'-0'"}},
                                                 {"text", numbers},
                                                 {"varchar", letters},
                                                 {"bpchar", letters},
                                                 {"citext", letters},
                                                 {"json", objects},
                                                 {"jsonb", objects},
                                                 {"interval", {"'1 day'", "'24 hours'", "'86400 seconds'"}},
                                                 {"_numeric", {"'{1}'", "'{1.0}'", "'{1.00}'"}},
                                                 {"_float8", {"'{0}'", "'{-0}'"}},
                                                 {"_text", {"'{a}'", "'{A}'"}},
                                                 {"numrange", {"'[1,5)'", "'[1.0,5.00)'"}},
                                                 {"box", {"'(1,1),(0,0)'", "'(2,0.5),(0,0)'"}},
                                                 {"circle", {"'<(0,0),1>'", "'<(3,3),1>'"}},
                                                 {"path", {"'((0,0),(1,1),(2,0))'", "'((5,5),(6,6),(7,5))'"}},
                                                 {"point", {"'(0,0)'", "'(-0,0)'"}}};
  const auto found = all.find(type);
  return found == all.end() ? Values{} : found->second;
}

}  // namespace pgsluice::test
