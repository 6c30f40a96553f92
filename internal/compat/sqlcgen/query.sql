-- name: GetUser :one
SELECT id, name, email, joined, seen FROM users WHERE id = ?;

-- name: ListUsers :many
SELECT id, name FROM users WHERE id IN (sqlc.slice('ids')) ORDER BY name;

-- name: CreateUser :execrows
INSERT INTO users (id, name, email, joined, seen) VALUES (?, ?, ?, ?, ?);

-- name: SetEmail :execrows
UPDATE users SET email = ? WHERE id = ?;

-- name: DeleteUser :exec
DELETE FROM users WHERE id = ?;

-- name: CountSince :one
SELECT COUNT(*) FROM users WHERE joined >= ?;
