#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "pgsluice/job.hpp"

namespace pgsluice {

/// One mistake in a job file. Line and column start at 1; line 0 means a mistake in a flag, and then `file`
/// is the flag's name.
struct Diagnostic {
  std::string file;
  int line = 1;
  int column = 1;
  std::string message;
  std::string hint;
};

/// The result of reading a job file: a job without diagnostics, or all diagnostics at once.
struct JobFile {
  Job job;
  std::vector<Diagnostic> diagnostics;

  bool ok() const { return diagnostics.empty(); }
};

/// Reads and checks a TOML job file; `environment` names an [env.NAME] overlay, empty for none. Touches no
/// server. Never throws because of the file's contents; throws Error(kJobFile) if it cannot be read.
JobFile load_job_file(const std::filesystem::path& path, const std::string& environment);

/// The same for text; `file` is the name used in diagnostics.
JobFile parse_job(const std::string& text, const std::string& file, const std::string& environment);

/// What `pgsluice backfill --table … --set …` means, with the same checks. `set` items read "column =
/// expression". Its only step is called "fill"; an unnamed job is called "backfill-TABLE-DIGEST", always the
/// same for the same definition.
struct BackfillFlags {
  std::string table;
  std::vector<std::string> set;
  std::string where;
  std::vector<std::string> key;
  std::string name;  // empty: derived from the table and a digest of the definition
};
JobFile job_from_flags(const BackfillFlags& flags);

/// "file:line:column: error: message" and, on a second line, " hint: …". A flag has no position: "--set:
/// error: …".
std::string to_string(const Diagnostic& diagnostic);

/// Parses one tunable as `set NAME key=value` writes it ("batch.target=500ms", "pool.lanes=2") into
/// `tunables`. Returns the mistake, empty if none; a refused value leaves them as they were. Keys:
/// pool.lanes, batch.*, throttle.* (throttle.ignore takes names with commas between them), max_quarantined.
/// Changing batch.rows_min or rows_max moves batch.rows between them.
std::string apply_tunable(Tunables& tunables, const std::string& key, const std::string& value);

}  // namespace pgsluice
