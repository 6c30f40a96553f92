-- What sqlc is to know of the table users, in the words of MySQL. BigQuery's own table is made by the tests.
CREATE TABLE users (
  id bigint NOT NULL,
  name varchar(255),
  email varchar(255),
  joined date,
  seen timestamp
);
