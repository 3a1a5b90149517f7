BEGIN TRANSACTION;
CREATE TABLE batchata_jobs (
	run VARCHAR NOT NULL, 
	number INTEGER NOT NULL, 
	status VARCHAR NOT NULL, 
	items VARCHAR NOT NULL, 
	item_count INTEGER NOT NULL, 
	inputs VARCHAR NOT NULL, 
	is_retry BOOLEAN NOT NULL, 
	unsent JSON NOT NULL, 
	reserved_usd VARCHAR, 
	submitting_at VARCHAR, 
	provider_job_id VARCHAR, 
	rivals JSON NOT NULL, 
	is_proven BOOLEAN NOT NULL, 
	completed INTEGER NOT NULL, 
	failed INTEGER NOT NULL, 
	cost_usd VARCHAR NOT NULL, 
	unknown_costs INTEGER NOT NULL, 
	cost_is_estimate BOOLEAN NOT NULL, 
	message VARCHAR, 
	max_tokens INTEGER, 
	PRIMARY KEY (run, number), 
	FOREIGN KEY(run) REFERENCES batchata_runs (name)
);
INSERT INTO "batchata_jobs" VALUES('default',0,'collected','0-7',8,'5e0d',0,'[]',NULL,NULL,NULL,'[]',1,7,1,'0.1',0,0,NULL,NULL);
INSERT INTO "batchata_jobs" VALUES('default',1,'collected','10',1,'5e0d',0,'[]',NULL,NULL,NULL,'[]',1,0,1,'0.02',0,0,NULL,NULL);
INSERT INTO "batchata_jobs" VALUES('default',4,'collected','40',1,'5e0d',0,'[]','0.10',NULL,NULL,'[]',1,1,0,'0.04',1,0,NULL,NULL);
INSERT INTO "batchata_jobs" VALUES('default',7,'in_progress','70-72,75',4,'5e0d',1,'[[73, "''b.pdf'' is encrypted."], [74, "''\u00e7.pdf'' is empty."]]','0.1250','2026-11-22T23:59:59.999999+05:30','msgbatch_01','["msgbatch_02", "msgbatch_03"]',0,2,1,'3.75E-8',1,1,'the queue is full: try “later”',NULL);
CREATE TABLE batchata_runs (
	name VARCHAR NOT NULL, 
	version INTEGER NOT NULL, 
	run JSON NOT NULL, 
	planned JSON NOT NULL, 
	updated_at VARCHAR NOT NULL, 
	PRIMARY KEY (name)
);
INSERT INTO "batchata_runs" VALUES('default',1,'{"run_id": "k3x9", "created_at": "2026-11-22T09:30:00.250000Z", "arguments": {"model": "local/tiny", "prompt": "9f2c"}}','{"items": 80, "digest": "a1b2", "is_all": true}','2026-11-22T22:46:06.985903+00:00');
COMMIT;
