package compat

import (
	"database/sql"
	"errors"
	"sync"
	"testing"

	"gorm.io/gorm"

	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/driver/gormdialect"
)

func TestGormTransaction(t *testing.T) {
	t.Parallel()
	db := openGorm(t)
	check(t, db.AutoMigrate(&shop{}))
	count := func() (n int64) {
		t.Helper()
		check(t, db.Model(&shop{}).Count(&n).Error)
		return n
	}
	failure := errors.New("no")
	err := db.Transaction(func(tx *gorm.DB) error {
		check(t, tx.Create(&shop{"a", "a"}).Error)
		return failure
	})
	if err != failure || count() != 0 {
		t.Errorf("rolled back: got %v and %d rows", err, count())
	}
	check(t, db.Transaction(func(tx *gorm.DB) error {
		check(t, tx.Create(&shop{"a", "a"}).Error)
		return tx.Transaction(func(tx *gorm.DB) error { return tx.Create(&shop{"b", "b"}).Error })
	}))
	if count() != 2 {
		t.Errorf("a transaction that joined: got %d rows; want 2", count())
	}
	// BigQuery can't undo the inner one alone: nothing of the outer one may stay.
	err = db.Transaction(func(tx *gorm.DB) error {
		check(t, tx.Create(&shop{"c", "c"}).Error)
		if err := tx.Transaction(func(tx *gorm.DB) error {
			check(t, tx.Create(&shop{"d", "d"}).Error)
			return failure
		}); err != failure {
			t.Errorf("the inner one: got %v", err)
		}
		return nil
	})
	if !errors.Is(err, sql.ErrTxDone) || count() != 2 {
		t.Errorf("an inner one that failed: got %v and %d rows; want ErrTxDone and 2", err, count())
	}
	refusing := openGorm(t, func(c *gormdialect.Config) { c.RefuseNestedTransactions = true })
	err = refusing.Transaction(func(tx *gorm.DB) error { return tx.Transaction(func(*gorm.DB) error { return nil }) })
	if !errors.Is(err, gormdialect.ErrNestedTransaction) {
		t.Errorf("refused: got %v", err)
	}
}

// TestGormRunTransaction: transactions that get in each other's way all have their effect in the end.
func TestGormRunTransaction(t *testing.T) {
	t.Parallel()
	db := openGorm(t)
	type counter struct {
		ID string
		N  int
	}
	check(t, db.AutoMigrate(&counter{}))
	check(t, db.Create(&counter{ID: "c"}).Error)
	var wg sync.WaitGroup
	var mu sync.Mutex
	runs := 0
	for range 3 {
		wg.Go(func() {
			err := gormdialect.RunTransaction(db, func(tx *gorm.DB) error {
				mu.Lock()
				runs++
				mu.Unlock()
				var c counter
				if err := tx.First(&c, "id = ?", "c").Error; err != nil {
					return err
				}
				return tx.Model(&c).Update("n", c.N+1).Error
			})
			if err != nil {
				t.Errorf("got %v after %d runs", err, runs)
			}
		})
	}
	wg.Wait()
	var c counter
	check(t, db.First(&c).Error)
	if c.N != 3 {
		t.Errorf("got %d; want 3", c.N)
	}
	// Any other error ends it at once.
	runs = 0
	err := gormdialect.RunTransaction(db, func(tx *gorm.DB) error { runs++; return tx.Exec("SELECT nothing").Error })
	if !errors.Is(err, driver.ErrInvalidQuery) || runs != 1 {
		t.Errorf("a wrong statement: got %v after %d runs", err, runs)
	}
	runs = 0
	err = gormdialect.RunTransaction(db, func(tx *gorm.DB) error { runs++; return driver.ErrConcurrentUpdate })
	if !errors.Is(err, driver.ErrConcurrentUpdate) || runs != 5 {
		t.Errorf("a conflict that stays: got %v after %d runs; want 5", err, runs)
	}
}
