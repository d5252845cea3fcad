#pragma once

#include <toml++/toml.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "job/read/diagnostics.hpp"

namespace pgsluice::job {

/// A value and its position in the file.
template <class Value>
struct Located {
  Value value;
  Position where;
};

/// One table of the job file while it is being read. Reading a key makes it known; finish() reports all other
/// keys. Mistakes always go to the diagnostics, never into an exception. Refers to the parsed document and to
/// the diagnostics: both must outlive it.
class Section {
 public:
  /// `label` names it in sentences ("[batch]", "step \"fill\""), `prefix` precedes its keys ("batch.").
  Section(const toml::table& table, Position where, std::string label, std::string prefix,
          Diagnostics& diagnostics);

  bool has(std::string_view key) const { return table_->contains(key); }
  /// The value as written, whatever its type; nullptr if absent.
  const toml::node* node(std::string_view key);

  /// Values of one type; absent or (reported) of another type: nullopt.
  std::optional<std::string> text(std::string_view key);
  std::optional<bool> flag(std::string_view key);
  /// An array of strings; with `or_single` a single string is accepted too.
  std::optional<std::vector<Located<std::string>>> texts(std::string_view key, bool or_single);
  std::optional<Section> section(std::string_view key);
  /// The entries of a table in the order in which they are written.
  struct Entry {
    std::string key;
    Position key_at;
    const toml::node* node;
  };
  std::vector<Entry> entries() const;

  /// Position of the key's value, or of the section's header if it is absent.
  Position where(std::string_view key) const;
  Position header() const { return header_; }
  const std::string& label() const { return label_; }

  /// "batch.target must be …": the message is a predicate about the key.
  void refuse(std::string_view key, const Refusal& refusal) { refuse_at(where(key), key, refusal); }
  void refuse_at(Position where, std::string_view key, const Refusal& refusal);
  void refuse_type(const toml::node& node, std::string_view key, std::string_view wanted,
                   std::string hint = {});
  /// Reports an absent key; true if it is there.
  bool require(std::string_view key, const std::string& hint);
  /// Ignores the section's other keys, because their meaning is unknown.
  void ignore_rest() { ignore_rest_ = true; }
  void finish();

  Diagnostics& diagnostics() const { return *diagnostics_; }

 private:
  std::optional<std::string> string_value(const toml::node& node, std::string_view key,
                                          std::string_view wanted);

  const toml::table* table_;
  Position header_;
  std::string label_;
  std::string prefix_;
  Diagnostics* diagnostics_;
  std::vector<std::string> known_;
  bool ignore_rest_ = false;
};

/// Position of a node.
Position position_of(const toml::node& node);

/// "an integer", "a table", …
std::string_view type_words(const toml::node& node);

}  // namespace pgsluice::job
