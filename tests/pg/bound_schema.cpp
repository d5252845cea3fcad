#include "pg/bound_schema.hpp"

#include <sstream>

#include "support/process.hpp"
#include "support/server_user.hpp"

namespace pgsluice::test {
namespace {

constexpr const char* kTables = R"sql(
DO $$
BEGIN
  PERFORM pg_advisory_xact_lock(1);
  IF to_regrole('bob') IS NULL THEN CREATE ROLE "Owner One"; CREATE ROLE bob; CREATE ROLE "Carol C"; END IF;
END $$;
CREATE SCHEMA "Odd Schema";
CREATE SCHEMA app;
GRANT ALL ON SCHEMA "Odd Schema", app TO "Owner One";
GRANT USAGE ON SCHEMA "Odd Schema", app TO bob, "Carol C";
CREATE TABLE "Odd Schema"."User Table" (
  "Id" int PRIMARY KEY, name text DEFAULT 'x' CHECK (name <> ''), seen timestamptz, "Group" int NOT NULL DEFAULT 0,
  CONSTRAINT "User Table_group" UNIQUE ("Id", "Group"));
CREATE TABLE app.orders (
  no int PRIMARY KEY, user_id int NOT NULL CONSTRAINT orders_user REFERENCES "Odd Schema"."User Table", note text);
CREATE INDEX orders_user_id ON app.orders (user_id);
CREATE TABLE app.log (said text);
INSERT INTO "Odd Schema"."User Table" SELECT n, 'name ' || n, now(), n % 3 FROM generate_series(1, 9) n;
INSERT INTO app.orders SELECT n, 1 + n % 9, 'note' FROM generate_series(1, 30) n;
CREATE FUNCTION app.noted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
)sql";

constexpr const char* kViews = R"sql(
CREATE VIEW "Odd Schema"."V 1" ("Key", "?column?", "the ""Group""")
  WITH (security_barrier, check_option = local, security_invoker = false) AS
  SELECT "Id", name, "Group" FROM "Odd Schema"."User Table"
  WHERE seen > '2020-03-04 05:06:07.891+00' AND name <> E'a\\b''c' AND "Group" < 0.1::float8 + 100;
ALTER VIEW "Odd Schema"."V 1" OWNER TO "Owner One";
ALTER VIEW "Odd Schema"."V 1" ALTER COLUMN "?column?" SET DEFAULT 'n''one';
COMMENT ON VIEW "Odd Schema"."V 1" IS E'it''s a \\ view';
COMMENT ON COLUMN "Odd Schema"."V 1"."?column?" IS 'odd name';
SET ROLE "Owner One";
REVOKE UPDATE, TRUNCATE ON "Odd Schema"."V 1" FROM "Owner One";
GRANT SELECT ON "Odd Schema"."V 1" TO bob WITH GRANT OPTION;
GRANT INSERT, UPDATE ON "Odd Schema"."V 1" TO bob;
GRANT UPDATE ("Key", "?column?") ON "Odd Schema"."V 1" TO PUBLIC;
SET ROLE bob;
GRANT SELECT ON "Odd Schema"."V 1" TO PUBLIC, "Carol C";
GRANT SELECT ("Key") ON "Odd Schema"."V 1" TO "Owner One";
RESET ROLE;
-- Uses no retyped column, but a view that does.
CREATE VIEW app.counted AS SELECT count(*) AS n FROM "Odd Schema"."V 1";
CREATE RECURSIVE VIEW app.deep (depth, k) AS
  SELECT 1, "Key" FROM "Odd Schema"."V 1" UNION ALL SELECT depth + 1, k FROM deep, app.counted WHERE depth < 3;
CREATE VIEW app.grouped AS
  SELECT u."Id", u.name, count(o.note) AS orders
  FROM "Odd Schema"."User Table" u LEFT JOIN app.orders o ON o.user_id = u."Id" GROUP BY u."Id";
REVOKE ALL ON app.grouped FROM postgres;
CREATE VIEW app.unrelated AS SELECT name FROM "Odd Schema"."User Table";
GRANT SELECT ON app.unrelated TO bob;
CREATE FUNCTION app.insert_v() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE TRIGGER "Instead" INSTEAD OF UPDATE ON app.grouped FOR EACH ROW EXECUTE FUNCTION app.insert_v();
COMMENT ON TRIGGER "Instead" ON app.grouped IS 'of a view';
CREATE TRIGGER after_all AFTER DELETE ON "Odd Schema"."V 1" FOR EACH STATEMENT EXECUTE FUNCTION app.insert_v('a''b');
)sql";

constexpr const char* kRulesAndPolicies = R"sql(
CREATE RULE "Ins" AS ON INSERT TO "Odd Schema"."V 1" DO INSTEAD
  INSERT INTO "Odd Schema"."User Table" ("Id") VALUES (NEW."Key") ON CONFLICT ON CONSTRAINT "User Table_pkey" DO NOTHING;
COMMENT ON RULE "Ins" ON "Odd Schema"."V 1" IS 'inserts';
-- The view below stands on app.unrelated, whose rule writes to the view: a circle but for the rule.
CREATE VIEW app.over AS SELECT u.name, v."Key" FROM app.unrelated u JOIN "Odd Schema"."V 1" v ON v."?column?" = u.name;
CREATE RULE to_over AS ON DELETE TO app.unrelated DO INSTEAD
  INSERT INTO app.log SELECT name FROM app.over WHERE "Key" IS NOT NULL;
CREATE RULE logged AS ON DELETE TO "Odd Schema"."User Table" 
  DO ALSO (INSERT INTO app.log VALUES (OLD."Id"::text || OLD.name); NOTIFY "Changed");
CREATE RULE quiet AS ON DELETE TO app.orders DO ALSO INSERT INTO app.log VALUES (OLD.user_id::text);
ALTER TABLE app.orders DISABLE RULE quiet;
CREATE RULE by_constraint AS ON INSERT TO app.log WHERE NEW.said = 'user' DO ALSO
  INSERT INTO "Odd Schema"."User Table" ("Group") VALUES (4) ON CONFLICT ON CONSTRAINT "User Table_group" DO NOTHING;
ALTER TABLE app.log ENABLE ALWAYS RULE by_constraint;
ALTER TABLE "Odd Schema"."User Table" ENABLE ROW LEVEL SECURITY;
ALTER TABLE app.log ENABLE ROW LEVEL SECURITY;
CREATE POLICY "own Rows" ON "Odd Schema"."User Table" AS RESTRICTIVE FOR UPDATE TO bob, "Carol C"
  USING ("Id"::text = current_setting('app.user', true)) WITH CHECK ("Id" IS NOT NULL AND name > '');
COMMENT ON POLICY "own Rows" ON "Odd Schema"."User Table" IS 'yours';
CREATE POLICY adding ON "Odd Schema"."User Table" FOR INSERT WITH CHECK ("Id" IS NOT NULL);
CREATE POLICY not_concerned ON "Odd Schema"."User Table" USING (name <> '');
CREATE POLICY by_user ON app.log FOR SELECT TO PUBLIC
  USING (EXISTS (SELECT FROM "Odd Schema"."User Table" u WHERE u."Id"::text = log.said)
         AND said IN (SELECT v."?column?" FROM "Odd Schema"."V 1" v));
)sql";

constexpr const char* kTriggersAndStatistics = R"sql(
CREATE TRIGGER "Of Id" BEFORE UPDATE OF name, "Id" ON "Odd Schema"."User Table" FOR EACH ROW EXECUTE FUNCTION app.noted();
ALTER TABLE "Odd Schema"."User Table" ENABLE ALWAYS TRIGGER "Of Id";
COMMENT ON TRIGGER "Of Id" ON "Odd Schema"."User Table" IS 'of';
CREATE TRIGGER replicated AFTER INSERT ON app.orders FOR EACH ROW WHEN (NEW.user_id IS NOT NULL) EXECUTE FUNCTION app.noted();
ALTER TABLE app.orders ENABLE REPLICA TRIGGER replicated;
CREATE TRIGGER sleeping AFTER UPDATE ON app.orders FOR EACH ROW WHEN (OLD.user_id IS DISTINCT FROM NEW.user_id)
  EXECUTE FUNCTION app.noted();
ALTER TABLE app.orders DISABLE TRIGGER sleeping;
CREATE CONSTRAINT TRIGGER "Late" AFTER INSERT OR UPDATE OF user_id ON app.orders FROM "Odd Schema"."User Table"
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.user_id IS NOT NULL) EXECUTE FUNCTION app.noted('x', 'y''z');
COMMENT ON TRIGGER "Late" ON app.orders IS 'late';
CREATE TRIGGER any_update BEFORE UPDATE ON app.orders FOR EACH ROW EXECUTE FUNCTION app.noted();
CREATE TRIGGER zzz_pgsluice_sync BEFORE UPDATE ON app.orders FOR EACH ROW WHEN (NEW.user_id IS NULL)
  EXECUTE FUNCTION app.noted();
ALTER TRIGGER "Of Id" ON "Odd Schema"."User Table" DEPENDS ON EXTENSION plpgsql;
CREATE STATISTICS app."Both" (ndistinct, dependencies) ON "Id", "Group" FROM "Odd Schema"."User Table";
ALTER STATISTICS app."Both" OWNER TO "Owner One";
ALTER STATISTICS app."Both" SET STATISTICS 77;
COMMENT ON STATISTICS app."Both" IS 'both';
CREATE STATISTICS app.expressed ON ("Id"::text), (lower(name)) FROM "Odd Schema"."User Table";
CREATE STATISTICS app.foreign_to_it ON name, "Group" FROM "Odd Schema"."User Table";
)sql";

constexpr const char* kFunctionsAndPublications = R"sql(
CREATE FUNCTION app.of_view(a text DEFAULT 'x''y', OUT n bigint, OUT m bigint) LANGUAGE sql STABLE SECURITY DEFINER
  SET work_mem = '1MB' BEGIN ATOMIC SELECT count(*), count("Key") FROM "Odd Schema"."V 1" WHERE "Key"::text = a; END;
CREATE FUNCTION app.of_table(text) RETURNS SETOF text LANGUAGE sql STABLE ROWS 3
  RETURN (SELECT max("Id"::text) FROM "Odd Schema"."User Table" WHERE name < $1);
CREATE FUNCTION app."Grouped"() RETURNS TABLE (label text) LANGUAGE sql STABLE
  BEGIN ATOMIC SELECT name FROM "Odd Schema"."User Table" GROUP BY "Id"; END;
CREATE PROCEDURE app.proceed(a text) LANGUAGE sql
  BEGIN ATOMIC INSERT INTO app.log SELECT "Id"::text FROM "Odd Schema"."User Table"; DELETE FROM app.log WHERE said = a; END;
ALTER FUNCTION app.of_table DEPENDS ON EXTENSION plpgsql;
GRANT EXECUTE ON FUNCTION app.of_view TO bob;
COMMENT ON FUNCTION app.of_view IS 'a function';
-- Uses a function that uses the view: neither has to go.
CREATE VIEW app.of_function AS SELECT m FROM app.of_view('z');
CREATE PUBLICATION "Pub 1" FOR TABLE "Odd Schema"."User Table" ("Group", "Id", name) WHERE ("Id" IS NOT NULL AND "Group" > 1),
  app.log WITH (publish = 'insert');
CREATE PUBLICATION filtered FOR TABLE app.orders WHERE (user_id IS NOT NULL) WITH (publish = 'insert, delete');
CREATE PUBLICATION whole FOR TABLE app.orders, "Odd Schema"."User Table";
CREATE PUBLICATION everything FOR ALL TABLES;
CREATE PUBLICATION schema_wide FOR TABLES IN SCHEMA app;
)sql";

constexpr const char* kColumnProperties = R"sql(
GRANT SELECT ("Id"), UPDATE ("Id") ON "Odd Schema"."User Table" TO bob WITH GRANT OPTION;
GRANT INSERT ("Id"), SELECT (name) ON "Odd Schema"."User Table" TO bob;
GRANT REFERENCES ("Id") ON "Odd Schema"."User Table" TO PUBLIC;
GRANT SELECT ON "Odd Schema"."User Table" TO "Owner One" WITH GRANT OPTION;
SET ROLE bob;
GRANT SELECT ("Id") ON "Odd Schema"."User Table" TO "Carol C" WITH GRANT OPTION;
SET ROLE "Carol C";
GRANT SELECT ("Id") ON "Odd Schema"."User Table" TO "Owner One";
SET ROLE "Owner One";  -- by a right on the whole table
GRANT SELECT ("Id") ON "Odd Schema"."User Table" TO "Carol C";
RESET ROLE;
COMMENT ON COLUMN "Odd Schema"."User Table"."Id" IS E'the ''key'' \\ of it';
COMMENT ON COLUMN app.orders.note IS 'not concerned';
ALTER TABLE "Odd Schema"."User Table" ALTER "Id" SET STATISTICS 432;
ALTER TABLE app.orders ALTER user_id SET (n_distinct = -0.25, n_distinct_inherited = 7);
ALTER TABLE "Odd Schema"."User Table" REPLICA IDENTITY USING INDEX "User Table_group";
ALTER TABLE app.orders CLUSTER ON orders_user_id;
ALTER DEFAULT PRIVILEGES IN SCHEMA app GRANT SELECT ON TABLES TO bob WITH GRANT OPTION;
ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO PUBLIC;
ALTER DEFAULT PRIVILEGES REVOKE DELETE ON TABLES FROM postgres;
)sql";

constexpr const char* kExpand = R"sql(
ALTER TABLE "Odd Schema"."User Table" ADD "Id_new" uuid;
ALTER TABLE app.orders ADD user_id_new uuid;
UPDATE "Odd Schema"."User Table" SET "Id_new" = md5("Id"::text)::uuid;
UPDATE app.orders SET user_id_new = md5(user_id::text)::uuid;
ALTER TABLE "Odd Schema"."User Table" ALTER "Id_new" SET NOT NULL;
ALTER TABLE app.orders ALTER user_id_new SET NOT NULL;
CREATE UNIQUE INDEX "User Table_pkey_new" ON "Odd Schema"."User Table" ("Id_new");
CREATE UNIQUE INDEX "User Table_group_new" ON "Odd Schema"."User Table" ("Id_new", "Group");
CREATE INDEX orders_user_id_new ON app.orders (user_id_new);
)sql";

/// The index named `from` becomes the table's, the table's gets the name that ends in `to`.
std::vector<std::string> exchange(const std::string& from, const std::string& to) {
  const std::string users = "ALTER TABLE \"Odd Schema\".\"User Table\" ";
  const std::string renamed = "ALTER INDEX \"Odd Schema\".\"User Table_";
  return {
      "ALTER TABLE app.orders DROP CONSTRAINT orders_user",
      users + "DROP CONSTRAINT \"User Table_pkey\"",
      users + "DROP CONSTRAINT \"User Table_group\"",
      users + "RENAME \"Id\" TO \"Id" + to + "\"",
      users + "RENAME \"Id" + from + "\" TO \"Id\"",
      "ALTER TABLE app.orders RENAME user_id TO user_id" + to,
      "ALTER TABLE app.orders RENAME user_id" + from + " TO user_id",
      "ALTER INDEX app.orders_user_id RENAME TO orders_user_id" + to,
      "ALTER INDEX app.orders_user_id" + from + " RENAME TO orders_user_id",
      renamed + "pkey" + from + "\" RENAME TO \"User Table_pkey\"",
      users + "ADD CONSTRAINT \"User Table_pkey\" PRIMARY KEY USING INDEX \"User Table_pkey\"",
      renamed + "group" + from + "\" RENAME TO \"User Table_group\"",
      users + "ADD CONSTRAINT \"User Table_group\" UNIQUE USING INDEX \"User Table_group\"",
      "ALTER TABLE app.orders ADD CONSTRAINT orders_user FOREIGN KEY (user_id) REFERENCES \"Odd "
      "Schema\".\"User Table\"",
  };
}

}  // namespace

void make_bound_schema(Db& db) {
  for (const char* part : {kTables, kViews, kRulesAndPolicies, kTriggersAndStatistics,
                           kFunctionsAndPublications, kColumnProperties})
    db.exec(part);
}

std::string schema_dump(const std::string& dsn) {
  std::istringstream dump(run_ok({postgres_program("pg_dump"), {"--schema-only", "-d", dsn}}));
  std::string out;
  for (std::string line; std::getline(dump, line);) {
    if (!line.starts_with("\\restrict") && !line.starts_with("\\unrestrict")) out += line + "\n";
  }
  return out;
}

void expand_bound_schema(Db& db) {
  db.exec(kExpand);
}

std::vector<std::string> bound_schema_cutover() {
  return exchange("_new", "_old");
}

std::vector<std::string> bound_schema_way_back() {
  auto out = exchange("_old", "_new");
  out.insert(out.begin(),
             {"CREATE UNIQUE INDEX \"User Table_pkey_old\" ON \"Odd Schema\".\"User Table\" (\"Id_old\")",
              "CREATE UNIQUE INDEX \"User Table_group_old\" ON \"Odd Schema\".\"User Table\" "
              "(\"Id_old\", \"Group\")"});
  return out;
}

void contract_bound_schema(Db& db) {
  db.exec(
      "ALTER TABLE \"Odd Schema\".\"User Table\" DROP \"Id_new\"; ALTER TABLE app.orders DROP user_id_new");
}

}  // namespace pgsluice::test
