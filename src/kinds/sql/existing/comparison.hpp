#pragma once

#include <optional>
#include <string>
#include <vector>

namespace pgsluice::engine {

/// One object that a statement makes: as the server describes it on an empty probe, and as it is there.
struct ObjectPair {
  std::string what;                  // "column \"w\"", "index \"t_w\"", …
  std::string wanted;                // as the statement makes it
  std::optional<std::string> found;  // nothing: it is not there
};

/// What is there of all that a statement makes.
enum class Existing {
  kNone,   // nothing: the statement can run
  kAll,    // everything, as the statement makes it
  kOther,  // something, but not everything or not the same
};

struct Recognition {
  Existing existing = Existing::kNone;
  std::string words;  // kAll: what is there; kOther: what differs; kNone: empty
};

/// `of`: the table in words, "" or " of table \"t\"". Pure.
Recognition judge_objects(const std::string& of, const std::vector<ObjectPair>& pairs);

/// The first line in which two texts of several lines differ: `it says "…", the statement "…"`. Pure.
std::string first_difference(const std::string& found, const std::string& wanted);

}  // namespace pgsluice::engine
