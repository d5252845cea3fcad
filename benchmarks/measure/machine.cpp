#include "measure/machine.hpp"

#include <sys/utsname.h>
#include <unistd.h>

#include "measure/figures.hpp"

namespace pgsluice::bench {

std::string machine_text(test::Db& db) {
  utsname system{};
  uname(&system);
  const std::string release = system.release;
  const double memory = static_cast<double>(sysconf(_SC_PHYS_PAGES)) *
                        static_cast<double>(sysconf(_SC_PAGESIZE)) / (1024.0 * 1024 * 1024);
  const auto setting = [&](const std::string& name) { return name + " " + db.text("SHOW " + name); };
  return std::to_string(sysconf(_SC_NPROCESSORS_ONLN)) + " cores (" + system.machine + "), " +
         number_text(memory, 0) + " GB, " + system.sysname + " " +
         release.substr(0, release.find_first_of("-+")) + "; PostgreSQL " +
         db.text("SELECT split_part(current_setting('server_version'), ' ', 1)") + ", " + setting("fsync") +
         ", " + setting("shared_buffers") + ", " + setting("max_wal_size") + ", " +
         setting("checkpoint_timeout") + ", " + setting("autovacuum");
}

}  // namespace pgsluice::bench
